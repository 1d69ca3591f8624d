"""The ONNX model, the speaker's baseline and profile, teaching. Imports from ``frontend``."""
