# BBN (arXiv 1912.02413): ResNet-50 with its last block once a branch, one classifier of both.
_base_ = './bbn_r32_cifar.py'
model = dict(
    backbone=dict(_delete_=True, type='BBNResNet', depth=50, zero_init_residual=False),
    head=dict(num_classes=1000, in_channels=4096))
