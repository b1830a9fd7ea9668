"""`junit.xml`: the verdict for tools that read test reports; each check is a test case."""

import re
from collections import Counter
from xml.etree import ElementTree as ET

from analysis.checks.check import Check, Outcome
from analysis.documents.findings import Findings
from analysis.documents.wording import consequence
from scenarios.formats.report_directory import Manifest

ELEMENTS = {Outcome.FAIL: "failure", Outcome.INVALID: "error", Outcome.UNTESTED: "skipped"}
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def junit(findings: Findings) -> str:
    """The verdict as JUnit XML: FAIL is a failure, INVALID an error, UNTESTED skipped."""
    root = ET.Element("testsuites")
    suite = ET.SubElement(root, "testsuite", _attributes(findings))
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(findings.manifest).items():
        ET.SubElement(properties, "property", name=name, value=_clean(value))
    for check in findings.verdict.checks:
        _case(suite, check, findings.verdict.scenario)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _attributes(findings: Findings) -> dict[str, str]:
    manifest, counts = findings.manifest, Counter(check.outcome for check in findings.verdict.checks)
    assert manifest.end is not None
    return {
        "name": findings.verdict.scenario,
        "tests": str(counts.total()),
        "failures": str(counts[Outcome.FAIL]),
        "errors": str(counts[Outcome.INVALID]),
        "skipped": str(counts[Outcome.UNTESTED]),
        "time": f"{(manifest.end.at - manifest.started_at).total_seconds():.3f}",
        "timestamp": f"{manifest.started_at:%Y-%m-%dT%H:%M:%S}",
    }


def _properties(manifest: Manifest) -> dict[str, str]:
    return {
        "stack": manifest.stack,
        "target": str(manifest.target.url),
        "commit": manifest.git_commit or "not known",
        "claim": manifest.claim.text,
        "requests": str(manifest.scenario.requests),
        "users": str(manifest.scenario.peak_users),
        "scaled": "yes" if manifest.scaled else "no",
        "processes": str(manifest.processes),
        "host": manifest.host.system,
    } | {f"version of {name}": version for name, version in manifest.versions.items()}


def _case(suite: ET.Element, check: Check, scenario: str) -> None:
    case = ET.SubElement(suite, "testcase", classname=scenario, name=_clean(check.name))
    if check.outcome is Outcome.PASS:
        return
    told = f"expected {check.expected}; observed {check.observed}" if check.expected else check.observed
    result = ET.SubElement(case, ELEMENTS[check.outcome], message=_clean(told))
    result.text = _clean(" ".join(filter(None, [check.claim, consequence(check), f"See {check.evidence}."])))


def _clean(text: str) -> str:
    """Replace the characters that XML forbids even when escaped."""
    return FORBIDDEN.sub(REPLACEMENT, text)
