"""Networks and losses, in Keras."""
