# Shifted batch normalisation (MiSLAS, arXiv 2104.00466): the weights of the network as they are, while the statistics
# of its batch normalisation go on with the classes drawn evenly.
frozen = dict(parameters=['backbone'])
