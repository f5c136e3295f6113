"""The API server's audit log: who asked for what, and as whom."""
import json
import pathlib
import urllib.parse


class Request:
    """One line of the log."""

    def __init__(self, line):
        self.agent, self.verb = line.get("userAgent", ""), line["verb"]
        self.user, self.acting_as = line["user"].get("username", ""), line.get("impersonatedUser", {}).get("username", "")
        self.groups = sorted(line.get("impersonatedUser", {}).get("groups", []))
        self.code = line.get("responseStatus", {}).get("code", 0)
        where = line.get("objectRef", {})
        self.group, self.resource, self.subresource = where.get("apiGroup", ""), where.get("resource", ""), where.get("subresource", "")
        self.namespace, self.name = where.get("namespace", ""), where.get("name", "")
        url = urllib.parse.urlsplit(line["requestURI"])
        self.path, self.query = url.path, dict(urllib.parse.parse_qsl(url.query))

    def __str__(self):
        return f"{self.acting_as or self.user}: {self.verb} {self.path} {self.query or ''} -> {self.code}"


class AuditLog:
    """Read forward; a line that is not whole yet is read the next time. A watch is in it when it has ended, and when it begins."""

    def __init__(self, directory, agent):
        self.file, self.agent, self.at = pathlib.Path(directory) / "audit.log", agent, 0

    def requests(self):
        """What `agent` has asked for since the last call."""
        with open(self.file, "rb") as file:
            file.seek(self.at)
            data = file.read()
        whole = data[:data.rfind(b"\n") + 1]
        self.at += len(whole)
        found = [Request(line) for line in map(json.loads, whole.splitlines()) if line.get("stage") != "RequestReceived"]
        return [one for one in found if one.agent.startswith(self.agent)]
