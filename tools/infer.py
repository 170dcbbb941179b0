#!/usr/bin/env python
"""Classify an image, or all images of a folder."""

from __future__ import annotations

import argparse
import json

from ltkit.utils.friendly import friendly_main


def parse_args() -> argparse.Namespace:
    from ltkit.apis import KeyValues, positive_number
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file that the model was trained with')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('path', help='image, or folder of images')
    parser.add_argument('--topk', type=positive_number, default=3, help='classes to show for each image (default: 3)')
    parser.add_argument('--batch-size', type=positive_number, default=32, help='images at once (default: 32)')
    parser.add_argument('--out', help='also write the predictions to this JSON file')
    parser.add_argument('--cfg-options', nargs='+', action=KeyValues, metavar='KEY=VALUE', help='override settings')
    return parser.parse_args()


@friendly_main
def main() -> None:
    from ltkit.apis import Inferencer, image_files
    from ltkit.config import load_runs
    from ltkit.utils.checkpoint import whole_file
    args = parse_args()
    files = image_files(args.path)
    infer = Inferencer(load_runs(args.config, args.cfg_options)[-1].config, args.checkpoint)
    predictions = []
    for prediction in infer(files, args.batch_size, args.topk):
        shown = ', '.join(f"{top['class_name']} {top['score']:.3f}" for top in prediction['top'])
        print(f"{prediction['path']}: {shown}", flush=True)
        predictions.append(prediction)
    if args.out:
        with whole_file(args.out) as part, open(part, 'w', encoding='utf-8') as file:
            json.dump(predictions, file, indent=1)


if __name__ == '__main__':
    main()
