"""The offline side of live-ser: corpora, features, networks, figures. Runs from a checkout."""
