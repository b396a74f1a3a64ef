"""The wheel format: bytes in, values out. Nothing here touches the disk, the network or the clock."""
