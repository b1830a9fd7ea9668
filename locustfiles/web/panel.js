// The tabs Distribution and Verdict. Names of backends, errors and checks are set as text, never as HTML.
"use strict";
(() => {
  const POLL_MS = 1000;
  // The page reloads when Locust's own part has lagged behind for so many polls.
  const STALE_POLLS = { running: 2, judging: 6, over: 6 };
  const HIDDEN_POLL_MS = 5000;
  const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"]; // as in the pictures
  const LINEAR_UP_TO = 3; // requests of deviation; logarithmic beyond, as in running.png
  const TABS = ["distribution", "verdict"];

  let state = null;
  let lost = false; // whether Locust does not answer
  let stale = 0;

  // -- elements

  const filled = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children.filter((child) => child !== null));
    return node;
  };
  const html = (name, attributes = {}, ...children) => filled(document.createElement(name), attributes, children);
  const svg = (name, attributes = {}, ...children) =>
    filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
  const alerts = html("div", { role: "alert" });
  const content = html("div");
  const panel = html("section", { id: "proof", hidden: "" }, alerts, content);

  // -- numbers as text

  const whole = (number) => number.toLocaleString("en-US");
  const fixed = (number, digits) =>
    number.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const percent = (share) => `${(100 * share).toFixed(2)} %`; // which rounds as the report's tables and pictures do
  const signed = (number) => (number > 0.005 ? "+" : "") + fixed(Math.abs(number) < 0.005 ? 0 : number, 2);
  const ms = (number) => (number === null ? "–" : `${number < 100 ? number.toPrecision(3) : whole(Math.round(number))} ms`);
  const colour = (index) => COLOURS[index % COLOURS.length];
  const chosenTab = () => new URLSearchParams(location.search).get("tab");

  // -- the distribution

  const heading = ({ phase, run }) =>
    html("h2", {}, `${run.scenario}${run.stage && phase === "running" ? `, stage ${run.stage}` : ""}`);

  const progress = ({ phase, run }) => {
    const said = [
      `${whole(run.done)} of ${whole(run.requests)} requests`,
      phase === "running" ? `${whole(run.users)} users` : null,
      `${fixed(run.seconds, 1)} s`,
      run.seconds_left === null ? null : `about ${whole(Math.ceil(run.seconds_left))} s left`,
      { judging: "the run has ended and is being judged", over: run.reason }[phase] ?? null,
    ];
    return html(
      "p",
      { class: "proof-progress" },
      html("progress", { max: run.requests, value: run.done, "aria-label": "requests done" }),
      said.filter((each) => each !== null).join(" · "),
    );
  };

  const COLUMNS = ["backend", "weight", "expected", "answered", "share", "deviation", "may be off", "p50", "p99", "failed"];

  const row = (part, index) =>
    html(
      "tr",
      {},
      html("th", { scope: "row" }, html("i", { style: `background:${colour(index)}` }), part.host_tag),
      ...[
        whole(part.weight),
        fixed(part.expected, 2),
        whole(part.answered),
        percent(part.share),
        signed(part.deviation),
        `± ${fixed(part.allowed, 2)}`,
        ms(part.p50_ms),
        ms(part.p99_ms),
        whole(part.failed),
      ].map((text) => html("td", {}, text)),
    );

  const table = ({ table, unnamed }) =>
    html(
      "div",
      { class: "proof-scroll", tabindex: "0", role: "region", "aria-label": "the split by backend" },
      html(
        "table",
        {},
        html("thead", {}, html("tr", {}, ...COLUMNS.map((name) => html("th", { scope: "col" }, name)))),
        html(
          "tbody",
          {},
          ...table.map(row),
          unnamed
            ? html("tr", {}, html("th", { scope: "row" }, "(no backend)"), html("td", { colspan: 8 }, "no answer, or an answer without a backend's name"), html("td", {}, whole(unnamed)))
            : null,
        ),
      ),
    );

  // -- charts

  const niceStep = (range, steps) => {
    const rough = range / steps;
    const power = 10 ** Math.floor(Math.log10(rough));
    return power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  };
  const ticks = (end, steps) => {
    const step = niceStep(end, steps);
    return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, index) => Number((index * step).toPrecision(12)));
  };
  const points = (xs, ys, x, y) =>
    xs.flatMap((at, index) => (ys[index] === null ? [] : [`${x(at).toFixed(1)},${y(ys[index]).toFixed(1)}`])).join(" ");

  const frame = (width, height, label, left, bottom) => {
    const box = { left, right: width - 12, top: 10, bottom: height - bottom };
    return { box, node: svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }) };
  };
  const timeAxis = (box, end, steps) => {
    const x = (at) => box.left + ((box.right - box.left) * at) / end;
    const marks = ticks(end, steps).map((at) =>
      svg("text", { x: x(at), y: box.bottom + 18, "text-anchor": "middle" }, at === 0 ? "0 s" : String(at)),
    );
    return { x, marks };
  };
  const line = (box, y, kind, text) => [
    svg("line", { class: kind, x1: box.left, x2: box.right, y1: y, y2: y }),
    svg("text", { x: box.left - 6, y: y + 4, "text-anchor": "end" }, text),
  ];

  const shareChart = ({ moments }) => {
    const backends = Object.values(moments.backends);
    const settled = Math.ceil(moments.at_s.length / 20); // the first few answers may all be of one
    const highest = Math.min(1, 1.3 * Math.max(...backends.flatMap(({ claimed, share }) => [claimed, ...share.slice(settled)])));
    const { box, node } = frame(720, 230, "share of the answered requests over time, by backend", 58, 26);
    const y = (share) => box.bottom - ((box.bottom - box.top) * Math.min(share, highest)) / highest;
    const { x, marks } = timeAxis(box, Math.max(moments.at_s.at(-1), 0.1), 8);
    node.append(...marks);
    for (const share of ticks(highest, 4)) node.append(...line(box, y(share), "grid", `${Math.round(100 * share)} %`));
    backends.forEach(({ claimed, share }, index) =>
      node.append(
        svg("line", { class: "claim", x1: box.left, x2: box.right, y1: y(claimed), y2: y(claimed) }),
        svg("polyline", { class: "course", stroke: colour(index), points: points(moments.at_s, share, x, y) }),
      ),
    );
    return html("figure", {}, html("figcaption", {}, "Share of the answered requests. Dashed: the claim."), node);
  };

  const bent = (off) =>
    Math.sign(off) * (Math.abs(off) <= LINEAR_UP_TO ? Math.abs(off) / LINEAR_UP_TO : 1 + Math.log10(Math.abs(off) / LINEAR_UP_TO));

  const deviationChart = (tag, course, at, index, furthest) => {
    const { box, node } = frame(360, 190, `${tag}: deviation in requests over time`, 52, 26);
    const middle = (box.top + box.bottom) / 2;
    const y = (off) => middle - ((box.bottom - box.top) / 2) * (bent(off) / bent(furthest));
    const { x, marks } = timeAxis(box, Math.max(at.at(-1), 0.1), 4);
    const band = [...at.keys()].map((i) => [x(at[i]), y(course.highest[i])]);
    const below = [...at.keys()].reverse().map((i) => [x(at[i]), y(course.lowest[i])]);
    const reach = 10 ** Math.floor(Math.log10(furthest));
    node.append(
      svg("polygon", { class: "band", points: [...band, ...below].map((pair) => pair.map((n) => n.toFixed(1)).join(",")).join(" ") }),
      ...[-reach, 0, reach].flatMap((off) => line(box, y(off), off ? "grid" : "zero", (off > 0 ? "+" : "") + whole(off))),
      svg("polyline", { class: "course", stroke: colour(index), points: points(at, course.deviation, x, y) }),
      ...marks,
    );
    return html("figure", {}, html("figcaption", {}, tag), node);
  };

  const deviationCharts = ({ moments, run }) => {
    const where = run.processes > 1 ? "about where" : "where"; // several processes do not count at the same moment
    const courses = Object.entries(moments.backends);
    const all = courses.flatMap(([, { deviation, lowest, highest }]) => [...deviation, ...lowest, ...highest]);
    const furthest = Math.max(1, ...all.map(Math.abs));
    return html(
      "div",
      {},
      html("p", { class: "proof-caption" }, `Deviation in requests. Grey: ${where} it may be, requests in flight included. Logarithmic beyond 3.`),
      html("div", { class: "proof-charts" }, ...courses.map(([tag, course], index) => deviationChart(tag, course, moments.at_s, index, furthest))),
    );
  };

  // Shows the messages once: a screen reader would read an element aloud each time it is put there anew.
  const showMessages = (messages) => {
    if (JSON.stringify(messages) === alerts.dataset.shown) return;
    alerts.dataset.shown = JSON.stringify(messages);
    alerts.replaceChildren(...messages.map((text) => html("p", { class: "proof-message" }, text)));
  };

  // Draws anew, and keeps the reader's place.
  const replace = (nodes) => {
    const places = () => [...content.querySelectorAll(".proof-scroll, a")];
    const before = places();
    const scrolled = before.map((place) => place.scrollLeft);
    const focused = before.indexOf(document.activeElement);
    content.replaceChildren(...nodes);
    places().forEach((place, index) => {
      if (scrolled[index]) place.scrollLeft = scrolled[index];
      if (index === focused) place.focus({ preventScroll: true });
    });
  };

  const distribution = () =>
    state.phase === "ready"
      ? [html("p", {}, "No run yet. Start one.")]
      : [
          heading(state),
          progress(state),
          table(state),
          state.phase === "running"
            ? html("p", { class: "proof-quiet" }, "A request counts for its backend when it is answered: until the end, requests in flight can make the split look further off.")
            : null,
          html("p", {}, html("a", { href: "./proof/distribution.csv", download: "distribution.csv" }, "Download this table as CSV")),
          ...(state.moments.at_s.length > 1 ? [shareChart(state), deviationCharts(state)] : []),
        ].filter((node) => node !== null);

  // -- the verdict

  const TURNED = ["INVALID", "FAIL"]; // outcomes that the table shows first

  // The consequence of a check that did not pass.
  const consequence = ({ outcome, claim, meaning }) => ({ FAIL: meaning, INVALID: `Not shown: ${claim}` })[outcome];

  const check = ({ name, expected, observed, outcome, ...others }) =>
    html(
      "tr",
      {},
      html("th", { scope: "row" }, name),
      html("td", {}, expected),
      html("td", {}, observed, TURNED.includes(outcome) ? html("small", {}, consequence({ outcome, ...others })) : null),
      html("td", { class: outcome.toLowerCase() }, outcome),
    );

  const verdict = () => {
    if (state.phase === "ready") return [html("p", {}, "No run yet. Start one.")];
    if (state.phase === "running") return [heading(state), progress(state), html("p", {}, "The verdict comes when the run has ended.")];
    if (state.phase === "judging") return [heading(state), progress(state)];
    if (state.verdict === null) return [heading(state), progress(state), html("p", {}, "There is no verdict.")];
    const { outcome, checks, page, pictures } = state.verdict;
    const files = `./proof/reports/${state.number}/`;
    const first = (name) => (name === "summary.png" ? 0 : 1);
    return [
      heading(state),
      html("p", { class: `proof-outcome ${outcome.toLowerCase()}` }, outcome),
      html("p", {}, state.run.claim),
      html("p", {}, html("a", { href: files + page, target: "_blank", rel: "noopener" }, "Open the report"), " with every table, picture and check"),
      html(
        "div",
        { class: "proof-scroll", tabindex: "0", role: "region", "aria-label": "the checks" },
        html(
          "table",
          { class: "proof-checks" },
          html("thead", {}, html("tr", {}, ...["check", "expected", "observed", "outcome"].map((name) => html("th", { scope: "col" }, name)))),
          html("tbody", {}, ...[...checks].sort((a, b) => TURNED.includes(b.outcome) - TURNED.includes(a.outcome)).map(check)),
        ),
      ),
      html(
        "div",
        { class: "proof-pictures" },
        ...[...pictures]
          .sort((a, b) => first(a) - first(b))
          .map((name) => html("a", { href: files + name, target: "_blank", rel: "noopener" }, html("img", { src: files + name, alt: name, loading: "lazy" }))),
      ),
    ];
  };

  // -- the page

  let drawn = "";

  const draw = () => {
    const shown = JSON.stringify([chosenTab(), state, lost]);
    if (panel.hidden || shown === drawn) return;
    drawn = shown;
    if (state === null && !lost) return;
    panel.dataset.run = state?.number ?? 0;
    showMessages([...(lost ? ["Locust does not answer any more. The page shows the last known state."] : []), ...(state?.messages ?? [])]);
    if (state !== null) replace(chosenTab() === "verdict" ? verdict() : distribution());
  };

  const place = () => {
    const home = document.querySelector('main [role="tablist"]')?.closest(".MuiContainer-root");
    const hidden = !home || !TABS.includes(chosenTab());
    if (home && panel.parentNode !== home) home.append(panel);
    if (panel.hidden !== hidden) panel.hidden = hidden;
    hint();
    draw();
  };

  // Describes the scenario that the form has chosen.
  const hint = () => {
    for (const select of document.querySelectorAll('select[name="scenario"]')) {
      const home = select.closest(".MuiFormControl-root");
      let text = home.querySelector(".proof-hint");
      if (!text) {
        text = html("p", { class: "proof-hint" });
        home.append(text);
        select.addEventListener("change", hint);
      }
      const said = state?.scenarios?.[select.value] ?? "";
      if (text.textContent !== said) text.textContent = said;
    }
  };

  // Locust's own part follows only a run that this page has started.
  const follow = () => {
    const buttons = [...document.querySelectorAll("header button")].map((button) => button.textContent);
    const showsRun = document.querySelector('main [role="tablist"]') !== null && !buttons.includes("New");
    const agrees = state.phase === "ready" || showsRun === (state.phase === "running");
    stale = agrees ? 0 : stale + 1;
    if (stale > STALE_POLLS[state.phase]) location.reload();
  };

  const poll = async () => {
    try {
      const answer = await fetch("./proof/state", { cache: "no-store" });
      if (answer.redirected) location.reload(); // to the login
      state = await answer.json();
      lost = false;
      document.documentElement.toggleAttribute("data-judged", state.is_judged);
      follow();
    } catch {
      lost = true;
    }
    place();
    setTimeout(poll, document.hidden ? HIDDEN_POLL_MS : POLL_MS);
  };

  if (!chosenTab()) {
    const here = new URL(location);
    here.searchParams.set("tab", TABS[0]);
    history.replaceState(null, "", here); // before Locust's own script reads it
  }
  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver(place).observe(document.getElementById("root"), {
      attributeFilter: ["aria-selected"],
      childList: true,
      subtree: true,
    });
    poll();
  });
})();
