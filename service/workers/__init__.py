"""Workers: a process of the service as the network sees it, from the bytes that arrive to the bytes that leave."""
