"""Graphs as ONNX models: a lowering table of its own, straight from the primitives to opset 18."""
