"""The command line: `services.__main__` puts it together, each file here is a group of commands."""
