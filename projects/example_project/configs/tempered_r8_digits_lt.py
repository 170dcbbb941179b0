_base_ = 'ltkit::erm/r8_digits_lt.py'
custom_imports = dict(imports=['example_project'])
# The sampler takes out half of the class prior (p_c ~ n_c^0.5), the loss the other half.
model = dict(head=dict(loss=dict(type='TemperedBalancedSoftmaxLoss', temperature=0.5)))
train_dataloader = dict(sampler=dict(_delete_=True, type='PowerSampler', correction=0.5))
train_cfg = dict(val_interval=10)
custom_hooks = [dict(type='TailWatchHook')]
