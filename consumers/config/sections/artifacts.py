"""Settings `[artifacts]`: where the roles meet."""

from typing import Annotated

from pydantic import Field

from consumers.config.sections.section import Section


class ArtifactsSection(Section):
    """Checkpoints, snapshots and views, where the roles meet.

    Parameters
    ----------
    url
        A directory, or any fsspec location such as s3://bucket/gsr; "" means the directory
        artifacts inside state.directory.
    options_file
        TOML file with the options of the remote file system (keys, endpoint): secrets stay out
        of this file. "" means none.
    keep_checkpoints, keep_snapshots, keep_views
        How many of the newest are kept; pinned checkpoints and the serving snapshot always are.
    """

    url: str = ""
    options_file: str = ""
    keep_checkpoints: Annotated[int, Field(ge=2)] = 3
    keep_snapshots: Annotated[int, Field(ge=2)] = 10
    keep_views: Annotated[int, Field(ge=2)] = 3
