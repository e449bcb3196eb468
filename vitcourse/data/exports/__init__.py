"""Exports of labelled pictures: CSV, COCO, YOLO and Pascal VOC, read to the same records and written from them."""
