"""Files of networks: settings and weights in one safetensors file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

from anomaly_kernels import weights
from anomaly_kernels._classes.learner import Learner
from anomaly_kernels._core.files import FileError, parse_json, reading


class NetworkFile(Learner):
    """A base of networks that are written to one file, where their framework has no such files of its own."""

    def _state(self) -> dict[str, Any]:
        return dict(weights.get_params_tree(self))

    def save(self, path: str | Path) -> None:
        """Write settings and weights to a file, for which ``safetensors`` is needed (extra ``weights``).

        It is a file of weights as `anomaly_kernels.weights.load_params` reads it, with the settings in its header. A
        setting that is a function is a TypeError; weights that a class of one's own has besides are a ValueError.
        """
        if own := self._own_weights():
            raise ValueError(
                f"a file of {type(self).__name__} would lack its weight {own[0]}: save it as its framework does"
            )
        settings = json.dumps(self._plain_settings(), allow_nan=False)
        weights.write(path, self._state(), {"class": type(self).__name__, "settings": settings})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a file that `save` has written; nothing in it is run.

        What the file holds, whatever it is, comes back as it was saved or is a `anomaly_kernels.FileError`, before
        there is memory for networks larger than the file. A file that cannot be opened is an OSError.
        """
        params, header = weights.read(path)
        with reading(path, f"does not hold a {cls.__name__}"):
            match header:
                case {"class": cls.__name__, "settings": settings}:
                    network = cls._from_settings(dict(parse_json(settings.encode())), params)
                    return weights.set_params_tree(network, params) if params else network
        raise FileError(f"{path} does not hold a {cls.__name__}")

    def _own_weights(self) -> list[str]:
        """Names of the weights that are not in the tree."""
        raise NotImplementedError

    def _plain_settings(self) -> dict[str, Any]:
        """The settings as JSON has them."""
        return {name: self._to_json(name, value) for name, value in self.get_params(deep=False).items()}

    @classmethod
    def _from_settings(cls, settings: dict[str, Any], params: dict[str, Any]) -> Self:
        """A network of the settings in a file, whose weights get the shapes and dtypes of `params`."""
        raise NotImplementedError
