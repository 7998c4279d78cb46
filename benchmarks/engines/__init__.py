"""How each library is used the way its users do: one module a library, with `training` and the names of `nn`."""
