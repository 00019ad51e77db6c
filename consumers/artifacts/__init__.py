"""The artifact store: checkpoints, serving views, snapshots."""
