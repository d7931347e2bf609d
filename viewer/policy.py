"""The numbers that tune the data path and the server, together in one frozen value."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Policy:
    """Bounds and sizes. Every field says its unit and why that number."""

    brick_edge: int = 32
    """Voxels. 32³ bricks: measured best for latency and for skipping empty space."""

    brick_voxels: int = 1 << 16
    """Voxels. The most in one brick: a 2-D image gets 1 × 256 × 256."""

    coarsest_bricks: int = 8
    """Bricks. Levels are made until one holds at most this many: one screenful."""

    exact_voxels: int = 1 << 30
    """Voxels. Larger arrays that are not stored in chunks (a memory-mapped file) have their coarse
    levels made from every so many voxels: reading all of them takes minutes, and their levels are
    not kept yet. Level 1 is exact always."""

    block_edge: int = 64
    """Voxels. Edge of the blocks in which coarse levels are made and cached, and of Zarr chunks."""

    cache_bytes: int = 1024 * MIB
    """Bytes of made blocks and read chunks kept in memory for all layers together."""

    sample_voxels: int = 1 << 18
    """Voxels. Size of the sample that the first contrast window and histogram come from."""

    mesh_cache_bytes: int = 256 * MIB
    """Bytes of finished meshes kept for all layers together."""

    mesh_voxels: int = 1 << 27
    """Voxels. The largest box that is meshed at once; a larger label takes a coarser level."""

    workers: int = 4
    """Threads that read and mesh; kernels release the GIL, HDF5 waits under its lock."""

    queue_length: int = 4096
    """Requests waiting for a worker; beyond it the answer is 503 with Retry-After."""

    brick_batch: int = 8
    """Bricks read by one hop to a worker: the hop costs as much as a brick."""

    credit_bytes: int = 4 * MIB
    """Bytes of bricks on their way to one page on loopback before it must acknowledge."""

    body_bytes: int = 1 * MIB
    """Bytes. The largest request body or WebSocket message taken."""

    connections: int = 256
    """Sockets open at once, counted before authentication."""

    header_seconds: float = 10.0
    """Seconds that a connection may take to send its request."""

    read_seconds: float = 60.0
    """Seconds until a read that a client waits for is answered with 504."""

    history_versions: int = 1024
    """Document versions kept for rebasing patches and for coalesced updates."""

    notices: int = 100
    """Errors kept in `Viewer.errors`."""


POLICY = Policy()
"""The policy in force."""
