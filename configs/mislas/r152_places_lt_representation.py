_base_ = ['../erm/r152_places_lt.py', '../_base_/stages/last_block_r152.py']
model = dict(train_cfg=dict(augments=[dict(type='Mixup', alpha=0.2)]))
optim_wrapper = dict(optimizer=dict(lr=0.1))
