"""The brick stream: our page's own way to voxels.

A brick is a small block of one level of one layer, cut for the GPU: all bricks of a layer have
the same number of voxels (`Data.brick` from one to the next, plus `Data.apron` beyond), so that
each fits any slot of an atlas texture. At the volume's far border the missing voxels repeat the
last one. Both this door and the OME-Zarr one read from the same `Pyramid.read(level, box)`.

The conversation on the binary WebSocket ``bricks``
---------------------------------------------------
The page declares what it looks at and asks; the server streams, best first.

Page to server, JSON text:

- ``{"type": "open", "volume": 5, "layer": "l3", "point": [7]}``: from now on 5 means layer l3 at
  index 7 of its leading axes (indices, array order; ``[]`` for 3-D data). Numbers are chosen by
  the page, unique on the connection.
- ``{"type": "close", "volume": 5}``
- ``{"type": "want", "generation": 12, "bricks": [5, 2, 0, 0, 1, …]}``: all bricks wanted now, best
  first, five integers each: volume, level, and index (z, y, x) in bricks. It replaces the former
  list: what is not in the new one is dropped, unless it is already on its way.
- ``{"type": "credit", "bytes": 65536}``: the page has taken so many bytes of brick messages off
  the stream. The server keeps at most `Policy.credit_bytes` unacknowledged.

Server to page, binary, one brick a message, little-endian:

| offset | type | what |
|---|---|---|
| 0 | uint32 | volume |
| 4 | uint8 | level |
| 5 | uint8 | flags: 1 constant (payload is one voxel), 2 failed (payload is JSON `Notice`) |
| 6 | uint16 | 0 (reserved) |
| 8 | uint32 × 3 | index (z, y, x) in bricks |
| 20 | uint32 | data generation (`Data.generation`) that the voxels are of |
| 24 | float64 | least value in the brick, NaN ignored (images; 0 for labels) |
| 32 | float64 | greatest value |
| 40 | … | voxels, x fastest, of the dtype below |

On the wire bool travels as uint8 and float16 as float32 (exact); all other dtypes as they are.
A brick wanted of a volume or index that does not exist comes back failed, as does one whose
source failed to be read; the page decides when to ask again.
"""
