# The last block of a pretrained ResNet-152 and the classifier are trained alone: MiSLAS and GCL on Places-LT.
frozen = dict(
    parameters=['backbone.conv1', 'backbone.bn1', 'backbone.layer[123]', 'backbone.layer4.[01]'],
    statistics=['backbone.bn1', 'backbone.layer[123]', 'backbone.layer4.[01]'])
