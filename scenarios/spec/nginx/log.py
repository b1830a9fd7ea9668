"""Which of nginx's variables `log_format ledger` has for which column of `balancer.csv`, in their order."""

from scenarios.spec.target import AnsweredBy

FORMAT = "ledger"
VARIABLES = {
    "ended_s": "msec",
    "worker": "pid",
    "connection": "connection",
    "connection_requests": "connection_requests",
    "request_id": "balanced_request_id",
    "method": "request_method",
    "path": "uri",
    "status": "status",
    "completion": "request_completion",
    "body_bytes": "body_bytes_sent",
    "duration_s": "request_time",
    "upstream_addresses": "upstream_addr",
    "upstream_statuses": "upstream_status",
    "upstream_connect_s": "upstream_connect_time",
    "upstream_header_s": "upstream_header_time",
    "upstream_response_s": "upstream_response_time",
    "upstream_received_bytes": "upstream_bytes_received",
}


def variables(identity: AnsweredBy) -> dict[str, str]:
    """The variable of each column; the backend's tag is a header of its answer."""
    return VARIABLES | {"host_tag": f"upstream_http_{identity.header.lower().replace('-', '_')}"}
