"""Networks and losses in Keras, the pretrained encoder and its head, and ONNX graphs of them."""
