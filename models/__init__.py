"""What a model is: frozen dataclasses of arrays and pure functions on them. At serving time numpy only; no I/O but in `bundle`."""
