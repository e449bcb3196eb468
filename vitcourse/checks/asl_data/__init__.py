"""The exercises of lesson 09, one module for each."""

from vitcourse.checks.asl_data.blind import blind
from vitcourse.checks.asl_data.coco_boxes import coco_boxes
from vitcourse.checks.asl_data.iou import iou
from vitcourse.checks.asl_data.mirror_and_turn import mirror_and_turn
from vitcourse.checks.asl_data.split import split
from vitcourse.checks.asl_data.yolo_box import yolo_box

__all__ = ["blind", "coco_boxes", "iou", "mirror_and_turn", "split", "yolo_box"]
