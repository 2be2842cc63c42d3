// SPDX-License-Identifier: GPL-2.0
/* The auxiliary device that vrnic_ib.ko drives. */
#include <linux/slab.h>

#include "vrnic.h"

static DEFINE_IDA(vrnic_aux_ids);

static void vrnic_aux_release(struct device *device)
{
	struct auxiliary_device *adev = container_of(device, struct auxiliary_device, dev);

	ida_free(&vrnic_aux_ids, adev->id);
	kfree(container_of(adev, struct vrnic_aux, adev));
}

int vrnic_aux_add(struct vrnic_dev *dev)
{
	struct vrnic_aux *aux;
	int ret;

	if (!(le64_to_cpu(dev->caps->features) & VRNIC_CAP_RDMA))
		return 0;

	aux = kzalloc(sizeof(*aux), GFP_KERNEL);
	if (!aux)
		return -ENOMEM;
	ret = ida_alloc(&vrnic_aux_ids, GFP_KERNEL);
	if (ret < 0) {
		kfree(aux);
		return ret;
	}
	aux->dev = dev;
	aux->adev.id = ret;
	aux->adev.name = VRNIC_AUX_RDMA;
	aux->adev.dev.parent = &dev->pdev->dev;
	aux->adev.dev.release = vrnic_aux_release;
	ret = auxiliary_device_init(&aux->adev);
	if (ret) {
		ida_free(&vrnic_aux_ids, aux->adev.id);
		kfree(aux);
		return ret;
	}
	ret = auxiliary_device_add(&aux->adev);
	if (ret) {
		auxiliary_device_uninit(&aux->adev);
		return ret;
	}
	dev->aux = aux;
	return 0;
}

/* Returns when vrnic_ib.ko has let go of the device. */
void vrnic_aux_remove(struct vrnic_dev *dev)
{
	struct vrnic_aux *aux = dev->aux;

	if (!aux)
		return;
	dev->aux = NULL;
	auxiliary_device_delete(&aux->adev);
	auxiliary_device_uninit(&aux->adev);
}
