# SPDX-License-Identifier: MIT
"""Where NVIDIA's wheels put NVRTC and cuBLAS: into the folder that holds this package."""

import os


def tell_vendor_libraries(package: str) -> None:
    """Add the folders of NVIDIA's wheels beside `package` to OVERTAKE_LIBRARY_PATH.

    The library looks into the active environment itself; this is for a Python that is run by its path.
    """
    nvidia = os.path.join(os.path.dirname(package), "nvidia")
    folders = [os.path.join(nvidia, wheel, "lib") for wheel in ("cu13", "cuda_nvrtc", "cublas")]
    known = os.environ.get("OVERTAKE_LIBRARY_PATH", "").split(":")
    new = [folder for folder in folders if os.path.isdir(folder) and folder not in known]
    if new:
        os.environ["OVERTAKE_LIBRARY_PATH"] = ":".join([*filter(None, known), *new])
