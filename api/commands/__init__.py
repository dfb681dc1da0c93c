"""The command line's groups of commands, a file each; `api/cli.py` puts them together.

`console` holds what every command says and prints, `operators` what those share that act on orders by hand.
"""
