"""Worker crash: when workers of nginx are killed, only what they had in flight is lost, and the split goes on."""

from locustfiles.shape import ScenarioShape
from locustfiles.user import ModelsUser

__all__ = ["ModelsUser", "WorkerCrash"]


class WorkerCrash(ScenarioShape):
    """The stages of `scenarios/worker-crash.toml`."""

    name = "worker-crash"
