"""The ``.keras`` file of a network, looked into before Keras makes what it says, of whatever size that is."""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from typing import Any

import keras

from anomaly_kernels._core.files import MOST_BYTES, parse_json
from anomaly_kernels.networks._options import autoencoder_shapes

MOST_BYTES_OF_A_FILE = 1_000_000_000


def check_archive(content: bytes, cls: type) -> str | None:
    """Raise where a file would make a network larger than itself, or none; return the name of another class in it."""
    config = _config_of(content)
    made_by = keras.saving.get_registered_object(config.get("registered_name"))
    if not isinstance(made_by, type) or not issubclass(made_by, cls):
        return str(config.get("class_name"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # which Keras' own reading of it gives
        network: Any = made_by.from_config(config["config"])  # type: ignore[attr-defined]
    if build := config.get("build_config"):
        shapes = autoencoder_shapes(network.n_features or build["input_shape"][2], network)
        if (n := sum(math.prod(shape) for shape in shapes.values())) > len(content):
            raise ValueError(f"its settings are those of {n} weights, of which it has fewer bytes")
    return None


def _config_of(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if len(set(archive.namelist())) < len(archive.namelist()):
            raise ValueError("a file is there twice in it")
        if (size := archive.getinfo("config.json").file_size) > MOST_BYTES:
            raise ValueError(f"its config.json must be no larger than {MOST_BYTES} bytes, got {size}")
        config = parse_json(archive.read("config.json"))
    if not isinstance(config, dict):
        raise ValueError("its config.json holds no mapping")
    return config
