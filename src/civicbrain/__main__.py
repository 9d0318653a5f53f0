"""`python -m civicbrain`: the same as the command `civicbrain`, for where its folder is not on the path."""

from civicbrain.cli.main import main

main()
