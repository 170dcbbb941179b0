_base_ = [
    '../_base_/models/resnet8_digits.py',
    '../_base_/datasets/digits_lt_held_out.py',
    '../_base_/schedules/digits_100e.py',
    '../_base_/default_runtime.py',
]
