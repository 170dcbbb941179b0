# The authors' longest run: batch 128, the regulariser from the epoch 100 on, class weights at the end.
_base_ = '../erm/rx50_imagenet_lt_200e.py'
model = dict(
    head=dict(
        loss=dict(type='SoftmaxLoss', drw=dict(begin=180, beta=0.9999)),
        regularizers=[dict(type='NeuralCollapseRegularizer', within=0.1, between=1.0, begin=100)]))
train_dataloader = dict(batch_size=128)
optim_wrapper = dict(optimizer=dict(lr=0.05))
