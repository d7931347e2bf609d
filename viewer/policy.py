"""The numbers that tune the data path and the server, together in one frozen value."""

from __future__ import annotations

import msgspec

MIB = 1 << 20


class Policy(msgspec.Struct, frozen=True):
    """Bounds and sizes. Every field says its unit and why that number."""

    brick_edge: int = 32
    """Voxels. 32³ bricks: measured best for latency and for skipping empty space."""

    brick_voxels: int = 1 << 16
    """Voxels. The most in one brick: a 2-D image gets 1 × 256 × 256."""

    coarsest_bricks: int = 8
    """Bricks. Levels are made until one holds at most this many: one screenful."""

    exact_bytes: int = 256 * MIB
    """Bytes. Coarse levels of smaller arrays are always exact: reading all takes a second."""

    exact_voxels: int = 1 << 25
    """Voxels read at most to make one block of a coarse level of a larger array exactly: a tenth of
    a second for a gzip file. Beyond that it is a preview, made of a sample."""

    view_voxels: int = 1 << 30
    """Voxels read at most to make exactly all blocks of a coarse level that one look at it takes,
    where a sample of single voxels can be had instead: a second or two."""

    chunk_view_voxels: int = 1 << 32
    """The same where chunks must be decoded: a sample of few chunks is a poor picture. Pages, which
    hear of it, get one nevertheless, and exact voxels later: in half a minute."""

    prompt_view_bytes: int = 256 * MIB
    """Bytes of chunks decoded at most for one look at a coarse level that pages get exactly at
    once: a second or two."""

    view_blocks: int = 256
    """Blocks of one level that one look takes: three slices on a large screen."""

    decoded_bytes: int = 256 * MIB
    """Bytes of a source's chunks decoded at most to make what is made at once of a coarse level.
    Chunks that are large planes take so much at least; then they serve many blocks."""

    preview_bytes: int = 16 * MIB
    """Bytes of chunks read at most for one block of a preview, where there are few blocks."""

    preview_view_bytes: int = 512 * MIB
    """Bytes of chunks read at most for all blocks of a preview that one look takes."""

    sketch_bytes: int = 4 * MIB
    """Bytes of chunks read at most for one block of a preview, where exact voxels follow."""

    sketch_view_bytes: int = 64 * MIB
    """The same for all blocks that one look takes: they are there within a second."""

    preview_reads: int = 64
    """Chunks read for one block of a preview: each may be a request to an object store."""

    pyramid_bytes: int = 20 * 1024 * MIB
    """Bytes of built pyramids kept in the cache folder: those of 100 GB or so of data."""

    block_edge: int = 64
    """Voxels. Edge of the blocks in which coarse levels are made and cached, and of Zarr chunks."""

    cache_bytes: int = 1024 * MIB
    """Bytes of made blocks and read chunks kept in memory for all layers together."""

    prompt_bytes: int = 2 * MIB
    """Bytes of a chunk that is copied on the server's loop, if it is in memory: half a millisecond.
    Larger ones, and all that must be read or made, are the workers'."""

    prompt_encode_bytes: int = 256 << 10
    """Bytes of a chunk that is compressed on the server's loop, if it is in memory: a third of a
    millisecond, less than it takes to wake a worker and to be woken."""

    prompt_seconds: float = 0.002
    """Seconds that the loop compresses in one turn; what is beyond them is the workers', so that
    nobody waits long for his turn."""

    encoded_bytes: int = 128 * MIB
    """Bytes of chunks kept as they travel: compressed, or as a source stores them."""

    compress_loopback: bool = False
    """Whether chunks are compressed for this machine itself, too: slower, but good for tests."""

    sample_voxels: int = 1 << 18
    """Voxels. Size of the sample that the first contrast window and histogram come from."""

    sample_seconds: float = 2.0
    """How long to look at a slow source for it: adding a layer waits for that."""

    mesh_cache_bytes: int = 512 * MIB
    """Bytes of finished meshes and of indexes of labels kept for all layers together."""

    mesh_faces: int = 1 << 23
    """Faces of one mesh; a surface that has more is made of a coarser level. 200 MB, which a page
    can still draw."""

    mesh_voxels: int = 1 << 28
    """Voxels. The largest box that is read from a file for one mesh, where no runs are kept."""

    isosurface_voxels: int = 1 << 25
    """Voxels of the level that an isosurface is made of, at most: some seconds of work."""

    workers: int = 4
    """Threads that read and mesh; kernels release the GIL, HDF5 waits under its lock."""

    queue_length: int = 4096
    """Requests waiting for a worker; beyond it the answer is 503 with Retry-After."""

    brick_batch: int = 16
    """Bricks read by one hop to a worker and sent as one message, at most: the first waits for the
    last."""

    message_bytes: int = 512 << 10
    """Bytes of one message of bricks, at most (but one brick): shorter ones cost more each."""

    credit_bytes: int = 8 * MIB
    """Bytes of bricks on their way to a page that has not acknowledged any yet: a first picture.
    From then on it is measured how many suffice."""

    least_credit_bytes: int = 512 << 10
    """Bytes of bricks on their way to a page, however slow, before it must acknowledge."""

    most_credit_bytes: int = 64 * MIB
    """The same for a fast one, however far away."""

    unsent_bytes: int = 512 << 10
    """Bytes of bricks that the network has not taken yet: beyond it, no more are read."""

    body_bytes: int = 1 * MIB
    """Bytes. The largest request body or WebSocket message taken."""

    picture_pixels: int = 1 << 26
    """Pixels of a picture that a page takes, at most: 8192 × 8192."""

    picture_edge: int = 16384
    """Pixels of its width and of its height, at most; few GPUs do more."""

    picture_bytes: int = 256 * MIB
    """Bytes of its PNG, at most."""

    upload_bytes: int = 4096 * MIB
    """Bytes of the arrays that other processes have sent to one viewer, as long as they live."""

    reply_bytes: int = 1024 * MIB
    """Bytes of an array that another process asks for at once, at most."""

    calls: int = 64
    """Calls of one other process that may wait for their answers; beyond it they are refused."""

    connections: int = 256
    """Sockets open at once, counted before authentication."""

    header_seconds: float = 10.0
    """Seconds that a connection may take to send its request."""

    send_seconds: float = 300.0
    """Seconds within which a client must take some of the answer that it is sent; many, because
    there is room for more only when the network has passed on megabytes."""

    read_seconds: float = 60.0
    """Seconds until a read that a client waits for is answered with 504."""

    history_versions: int = 1024
    """Document versions kept for rebasing patches and for coalesced updates."""

    notices: int = 100
    """Errors kept in `Viewer.errors`."""


POLICY = Policy()
"""The policy in force."""
