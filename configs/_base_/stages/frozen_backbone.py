# The representation as it is; the classifier goes on from its weights.
# To let the batch normalisation of the frozen part go on: frozen = dict(statistics=[]).
frozen = dict(parameters=['backbone'], statistics=['backbone'])
