"""A report, opened from its file as a person would."""


class Visit:
    """A page that was opened, and what happened on the way."""

    def __init__(self, page, address):
        self.page, self.asked, self.said = page, [], []
        page.context.set_offline(True)
        page.route("**/*", self._allow_files)
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", self._dismiss)
        page.goto(address)

    def _allow_files(self, route):
        self.asked.append(route.request.url)
        if route.request.url.startswith(("file:", "data:")):
            route.continue_()
        else:
            route.abort()

    def _dismiss(self, dialog):
        self.said.append(f"dialog: {dialog.message}")
        dialog.dismiss()
