"""nginx, the one balancer that there is an implementation for."""

from pathlib import Path
from signal import SIGHUP

from scenarios.spec.balancer import Balancer, Notation
from scenarios.spec.nginx.conf import NginxConf


class NginxBalancer:
    """What nginx's log means (ngx_http_upstream_module, `$upstream_addr`), and how it is told to reload."""

    notation = Notation(
        nothing="-",
        between=", | : ",  # the second where a request went on to another group of servers
        asked=":",  # else it is the name of the group
        failed_statuses=frozenset({"502", "504", "-"}),
        client_left=499,
    )
    reload_signal = SIGHUP
    worker_title = "nginx: worker"

    def configuration(self, path: Path) -> NginxConf:
        """The configuration in a file. Raises `UsageError` when it is none."""
        return NginxConf.read(path)


NGINX: Balancer = NginxBalancer()
