"""The contract: what an event is, which types there are, and how both look on the wire. Imports nothing of ours."""
