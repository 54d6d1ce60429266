"""all-MiniLM-L6-v2 as an ONNX graph, from its safetensors.

A BERT encoder of 6 layers, mean pooling over the text's tokens, L2 normalisation.
Axes: b texts, s tokens, d = 384 model, h = 12 heads, f = 1536 inner, v = 30522 vocabulary.
Attention, GELU and the residual normalisations are single operators of ONNX Runtime's own domain
(``com.microsoft``, CPU and CUDA kernels): what its optimiser would make of the plain form.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

DIMENSIONS = 384
LAYERS = 6
HEADS = 12
EPSILON = 1e-12

Weights = Mapping[str, NDArray[np.float32]]
_MICROSOFT = "com.microsoft"


class _Graph:
    """Collects nodes and constants; every method returns the name of a value."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(self, name: str) -> str:
        return self.constant(name, self.weights[name])

    def matrix(self, name: str) -> str:
        """Return a linear layer's weight [out, in] as a right factor [in, out]."""
        return self.constant(name, self.weights[name].T)

    def node(self, op: str, inputs: Sequence[str], output: str, **attributes: float) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def fused(self, op: str, inputs: Sequence[str], output: str, **attributes: float) -> str:
        node = helper.make_node(op, inputs, [output], domain=_MICROSOFT, **attributes)
        self.nodes.append(node)
        return output


def build(weights: Weights) -> bytes:
    """Return the serialised model.

    Inputs: ``ids`` int32 [b, s], padded on the right; ``lengths`` int32 [b].
    Outputs: ``embedding`` float32 [b, d], unit length; ``states`` float32 [b, s, d].
    """
    graph = _Graph(weights)
    states = _embed(graph)
    for layer in range(LAYERS):
        states = _attend(graph, f"encoder.layer.{layer}", states)
        output = "states" if layer == LAYERS - 1 else f"layer.{layer}"
        states = _feed_forward(graph, f"encoder.layer.{layer}", states, output)
    _pool(graph, states)
    inputs = [
        helper.make_tensor_value_info("ids", TensorProto.INT32, ["b", "s"]),
        helper.make_tensor_value_info("lengths", TensorProto.INT32, ["b"]),
    ]
    outputs = [
        helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["b", DIMENSIONS]),
        helper.make_tensor_value_info("states", TensorProto.FLOAT, ["b", "s", DIMENSIONS]),
    ]
    whole = helper.make_graph(graph.nodes, "all-MiniLM-L6-v2", inputs, outputs, graph.constants)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(_MICROSOFT, 1)]
    serialised: bytes = helper.make_model(
        whole, opset_imports=opsets, ir_version=9
    ).SerializeToString(deterministic=True)
    return serialised


def _embed(graph: _Graph) -> str:
    """Word + position + segment 0, normalised: [b, s] -> [b, s, d]."""
    positions = (
        graph.weights["embeddings.position_embeddings.weight"]  # [512, d]
        + graph.weights["embeddings.token_type_embeddings.weight"][0]  # [d]; one segment only
    )
    inputs = [
        "ids",
        "",  # no segment ids
        graph.weight("embeddings.word_embeddings.weight"),  # [v, d]
        graph.constant("positions", positions),
        "",  # no segment table
        graph.weight("embeddings.LayerNorm.weight"),
        graph.weight("embeddings.LayerNorm.bias"),
    ]
    # The second output is the lengths of a mask, which there is none of.
    node = helper.make_node(
        "EmbedLayerNormalization",
        inputs,
        ["embedded", "unused"],
        domain=_MICROSOFT,
        epsilon=EPSILON,
    )
    graph.nodes.append(node)
    return "embedded"


def _attend(graph: _Graph, layer: str, states: str) -> str:
    """Self-attention over each text's own tokens, residual, norm: [b, s, d] -> [b, s, d]."""
    parts = [f"{layer}.attention.self.{part}" for part in ("query", "key", "value")]
    weight = np.concatenate([graph.weights[f"{part}.weight"].T for part in parts], axis=1)
    bias = np.concatenate([graph.weights[f"{part}.bias"] for part in parts])
    inputs = [
        states,
        graph.constant(f"{layer}.qkv.weight", weight),  # [d, 3 d]
        graph.constant(f"{layer}.qkv.bias", bias),  # [3 d]
        "lengths",  # tokens at and behind a text's length are not attended
    ]
    mixed = graph.fused("Attention", inputs, f"{layer}.attention.mixed", num_heads=HEADS)
    return _project(graph, f"{layer}.attention.output", mixed, states, f"{layer}.attended")


def _feed_forward(graph: _Graph, layer: str, states: str, output: str) -> str:
    """Two linear layers around GELU, residual, norm: [b, s, d] -> [b, s, f] -> [b, s, d]."""
    inner = f"{layer}.intermediate.dense"
    wide = graph.node("MatMul", [states, graph.matrix(f"{inner}.weight")], f"{layer}.wide")
    active = graph.fused("BiasGelu", [wide, graph.weight(f"{inner}.bias")], f"{layer}.active")
    return _project(graph, f"{layer}.output", active, states, output)


def _project(graph: _Graph, name: str, value: str, residual: str, output: str) -> str:
    """Linear layer back to d, residual, norm: [b, s, …] -> [b, s, d]."""
    dense = graph.matrix(f"{name}.dense.weight")
    projected = graph.node("MatMul", [value, dense], f"{name}.projected")
    inputs = [
        projected,
        residual,
        graph.weight(f"{name}.LayerNorm.weight"),
        graph.weight(f"{name}.LayerNorm.bias"),
        graph.weight(f"{name}.dense.bias"),
    ]
    return graph.fused("SkipLayerNormalization", inputs, output, epsilon=EPSILON)


def _pool(graph: _Graph, states: str) -> str:
    """Sum over each text's tokens, unit length (the mean's): [b, s, d] -> [b, d]."""
    int32 = np.int32
    one = graph.constant("axis", np.array([1], np.int64))
    shape = graph.node("Shape", ["ids"], "shape")  # [2]
    index = graph.constant("index", np.array(1, np.int64))
    long = graph.node("Gather", [shape, index], "tokens.long")  # s
    tokens = graph.node("Cast", [long], "tokens", to=TensorProto.INT32)
    bounds = [
        graph.constant("zero", np.array(0, int32)),
        tokens,
        graph.constant("step", np.array(1, int32)),
    ]
    places = graph.node("Range", bounds, "places")  # [s]
    columns = graph.node("Unsqueeze", ["lengths", one], "columns")  # [b, 1]
    inside = graph.node("Less", [places, columns], "inside")  # [b, s]
    mask = graph.node("Cast", [inside], "mask", to=TensorProto.FLOAT)
    row = graph.node("Unsqueeze", [mask, one], "mask.row")  # [b, 1, s]
    total = graph.node("MatMul", [row, states], "total")  # [b, 1, d]
    flat = graph.node("Squeeze", [total, one], "total.flat")  # [b, d]
    return graph.node("LpNormalization", [flat], "embedding", axis=1, p=2)
