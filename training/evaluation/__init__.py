"""How good an exported model is: protocols, conditions, figures."""
