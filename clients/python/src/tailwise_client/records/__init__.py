"""What the service answers, as frozen records; unknown fields of newer services are ignored.

Fields that a later version of the service added have defaults, so that this client reads the
answers of older services too. States and kinds are plain strings for the same reason.
"""
