"""Takes memory, and more when there is none left."""

taken = []
while True:
    try:
        taken.append(bytes([1]) * 50_000_000)
    except MemoryError:
        pass
