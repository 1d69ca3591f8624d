"""Published corpora: their files, labels, speakers and splits."""
