"""A bundle is what one training run learnt: a directory of .npy arrays and a manifest.json. The only I/O of `models`.

<models-dir>/<version>/manifest.json     what it is, how to repeat it, the checksum of every array
<models-dir>/<version>/<model>.<field>.npy
<models-dir>/current                     a link to the version that is served

No code is ever loaded: arrays are mapped with allow_pickle=False, everything else is JSON. The link is all that is switched: by a training, and
by `activate`, which waits for none.
"""

from models.bundle.current import CURRENT, SWITCHING, activate, disk_errors, switch, switching, versions
from models.bundle.files import FORMAT, MANIFEST, checksum, load, read_manifest, save
from models.bundle.learnt import Bundle, Models
from models.bundle.verified import load_verified

__all__ = [
    "CURRENT",
    "FORMAT",
    "MANIFEST",
    "SWITCHING",
    "Bundle",
    "Models",
    "activate",
    "checksum",
    "disk_errors",
    "load",
    "load_verified",
    "read_manifest",
    "save",
    "switch",
    "switching",
    "versions",
]
