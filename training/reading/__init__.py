"""The steps of reading, a file each; `training.read` is their recipe."""
