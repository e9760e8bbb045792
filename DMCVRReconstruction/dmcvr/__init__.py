"""DMCVR: 3D hearts from sparse cine MR stacks by a morphology-guided diffusion model.

For research use only, not for diagnosis.

```python
import dmcvr

result = dmcvr.reconstruct("sax.nii.gz", frame="es")
result.labels, result.grid.affine, result.record.volumes
result.save("result")

dmcvr.segment("sax.nii.gz").save("labels.nrrd")
```

Arrays are ordered (T, Z, Y, X); places are LPS mm, as in DICOM and ITK.
"""

__version__ = "0.1.0"

from .api.reconstruct import reconstruct
from .api.results import Result, Segmentation
from .api.segment import segment
from .core.errors import InputError
from .system.processors import prepare_threads

# In the order of the API's page.
__all__ = ["reconstruct", "segment", "Result", "Segmentation", "InputError", "__version__"]  # noqa: RUF022

# Here, since every way to torch within the package begins with this module; no import above loads it.
prepare_threads()
