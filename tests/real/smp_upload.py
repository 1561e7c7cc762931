#!/usr/bin/env python3
"""smpclient, which others wrote, uploads an image over SMP: smp_upload.py PORT FILE"""

import asyncio
import sys

from smpclient import SMPClient
from smpclient.transport.serial import SMPSerialTransport


async def upload(port, image):
    async with SMPClient(SMPSerialTransport(), port) as client:
        async for offset in client.upload(image):
            pass
    return offset


with open(sys.argv[2], "rb") as file:
    image = file.read()
done = asyncio.run(upload(sys.argv[1], image))
print(f"uploaded {done} of {len(image)} bytes")
