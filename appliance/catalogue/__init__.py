"""In: models/catalog.toml, a profile and a folder of files. Out: checked model files, ready to load."""
