"""The joint model in a learning loop: made as nobody has learned it yet, and found again."""

from consumers.config.settings import GsrConfig
from consumers.offline.replay.retraining.settings import serving_config
from gsr.config import RecordingConfig
from gsr.loop.joint_stream import JointStream
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.mirror import Mirror
from gsr.network.model import JointModel


def new_stream(mirror: Mirror, config: GsrConfig, seed: int, *, mask_seen: bool) -> JointStream:
    """Return a model that ranks by the live counters until it serves one that was learned.

    Parameters
    ----------
    mirror
        The counters.
    config
        Settings of the stream.
    seed
        Of first weights, and of what clicks are compared with.
    mask_seen
        See `gsr.loop.options.LoopOptions`.
    """
    model = JointModel(serving_config(config), seed)
    return JointStream(model, RecordingConfig(seed=seed), mirror, mask_seen=mask_seen)


def joint_stream(loop: LearningLoop) -> JointStream:
    """Return what is tested in a loop of `new_stream`.

    Raises
    ------
    TypeError
        It is a loop of another model.
    """
    if not isinstance(loop.stream, JointStream):
        raise TypeError(f"this loop tests no joint model, but {type(loop.stream).__name__}")
    return loop.stream
