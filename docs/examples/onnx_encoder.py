"""An encoder of torch, and a scorer of this library behind it, in one ONNX graph."""

import ndonnx as ndx
import numpy as np
import onnx.version_converter
import onnxruntime
import torch

import anomaly_kernels as ak

torch.manual_seed(0)
encoder = torch.nn.Sequential(torch.nn.Linear(9, 16), torch.nn.Tanh(), torch.nn.Linear(16, 4)).eval()
normal = torch.randn(500, 9)
with torch.no_grad():
    reference = encoder(normal).numpy()

# the scorer: the distance to the fifth nearest of the embeddings of normal rows
embeddings = ndx.argument(shape=("N", 4), dtype=ndx.float32)
score = ak.knn_score(embeddings, ndx.asarray(reference), k=5)
scorer = ndx.build({"embeddings": embeddings}, {"score": score})
opset = next(each.version for each in scorer.opset_import if each.domain == "")

# the encoder
torch.onnx.export(
    encoder,
    (normal,),
    "encoder.onnx",
    input_names=["rows"],
    output_names=["embeddings"],
    dynamic_axes={"rows": {0: "N"}},
    opset_version=20,  # the latest of this exporter, which needs no further package
    dynamo=False,
)

# one after the other: operators and format of one version, no name twice
first = onnx.version_converter.convert_version(onnx.load("encoder.onnx"), opset)
first.ir_version = scorer.ir_version
second = onnx.compose.add_prefix(scorer, "scorer_")
joined = onnx.compose.merge_models(first, second, io_map=[("embeddings", "scorer_embeddings")])
onnx.save(joined, "detector.onnx")

session = onnxruntime.InferenceSession("detector.onnx")
rows = torch.randn(3, 9) * torch.tensor([[1.0], [1.0], [5.0]])  # the last one is far from normal
(found,) = session.run(["scorer_score"], {"rows": rows.numpy()})
with torch.no_grad():
    expected = ak.knn_score(encoder(rows).numpy(), reference, k=5)
print("scores", found.round(2), "as in NumPy:", np.allclose(found, expected, rtol=1e-4))
