# Nothing is trained of the network and its linear layer, but what a classifier adds to them: LWS, DisAlign.
# The official code of LWS lets the batch normalisation of the frozen part go on: frozen = dict(statistics=[]).
frozen = dict(
    parameters=['backbone', 'head.classifier.weight', 'head.classifier.bias'],
    statistics=['backbone'])
