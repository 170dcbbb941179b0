# The network of OLTR on Places-LT (arXiv 1904.05160, official code): features of 512 channels. The attention begins as
# the identity.
_base_ = './resnet152.py'
model = dict(
    neck=[
        dict(type='ModulatedAttention', in_channels=2048, size=7),
        dict(type='GlobalAveragePooling'),
        dict(type='LinearNeck', in_channels=2048, out_channels=512),
    ],
    head=dict(num_classes=365, in_channels=512))
